# Waybill's image: one for the API, every worker and the migrate job; the command chooses.
#
#   docker build -t waybill .                        production
#   docker build -t waybill-demo --target demo .     with the testbed besides
#
# BASE may name any Debian-like image with Python >= 3.11 on its PATH (a mirror, a digest, a hardened
# base). docs/containers.md says how to run the result.
ARG BASE=python:3.11.15-slim-bookworm

FROM ${BASE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 UV_NO_CACHE=1
WORKDIR /source
COPY requirements-build.lock requirements.lock ./
RUN python3 -m venv /build \
 && /build/bin/python -m pip install --quiet --require-hashes -r requirements-build.lock \
 && python3 -m venv --without-pip /opt/waybill \
 && /build/bin/uv pip install --quiet --python /opt/waybill/bin/python --require-hashes \
      -r requirements.lock
COPY . .
RUN /build/bin/python -c "from setuptools.build_meta import build_wheel; build_wheel('/wheels')" \
 && /build/bin/uv pip install --quiet --python /opt/waybill/bin/python --no-deps /wheels/*.whl \
 && /opt/waybill/bin/python -m compileall -q /opt/waybill/lib \
 && rm -f /opt/waybill/.lock

FROM build AS build-demo
RUN /build/bin/uv pip install --quiet --python /opt/waybill/bin/python --require-hashes \
      -r requirements-embedded.lock \
 && rm -f /opt/waybill/bin/temporal /opt/waybill/.lock

FROM ${BASE} AS runtime
RUN groupadd --gid 10001 waybill \
 && useradd --uid 10001 --gid waybill --no-create-home --home-dir /nonexistent \
      --shell /usr/sbin/nologin waybill \
 && (python3 -m pip uninstall --yes --quiet --root-user-action=ignore pip setuptools wheel \
      2>/dev/null || true) \
 && rm -rf "$(python3 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')/ensurepip"
COPY --from=build /opt/waybill /opt/waybill
ENV PATH=/opt/waybill/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    WAYBILL_API_HOST=0.0.0.0 HEALTH_PORT=8000 HEALTH_PATH=/healthz
USER 10001:10001
WORKDIR /tmp
EXPOSE 8000
STOPSIGNAL SIGTERM
# A worker answers on its metrics port: HEALTH_PORT=9464 HEALTH_PATH=/metrics. `waybill healthy` asks
# the same, but loads ten times as much Python for it, in every container, every ten seconds.
HEALTHCHECK --interval=10s --timeout=4s --start-period=20s --retries=3 \
  CMD ["python", "-Ic", "from http.client import HTTPConnection; from os import environ as its; there = HTTPConnection('127.0.0.1', int(its['HEALTH_PORT']), timeout=3); there.request('GET', its['HEALTH_PATH']); exit(there.getresponse().status != 200)"]
ENTRYPOINT ["waybill"]
CMD ["api"]

FROM runtime AS demo
COPY --from=build-demo /opt/waybill /opt/waybill
# A volume for the testbed's database takes its owner from here.
USER 0
RUN install --directory --owner=10001 --group=10001 /data
USER 10001:10001

FROM runtime
