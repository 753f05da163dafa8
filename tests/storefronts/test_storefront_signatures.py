"""Nothing unsigned, stale or altered is accepted."""

from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks.webhooks import Webhook

from adapters.storefronts.signatures import body_signature
from ports.storefronts import Unauthentic
from tests.storefronts.platforms import GENERIC, NOW, STOREFRONTS

BODY = '{"id": 1, "name": "Grüße"}'.encode()
OLD, NEW, OTHER = "whsec_b2xkLXNlY3JldA==", "whsec_bmV3LXNlY3JldA==", "whsec_b3RoZXI="


def signed(platform: str, secret: str, at: datetime = NOW) -> dict[str, str]:
    if platform == "shopify":
        return {"x-shopify-hmac-sha256": body_signature(BODY, secret)}
    if platform == "woocommerce":
        return {"x-wc-webhook-signature": body_signature(BODY, secret)}
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign("msg_1", at, BODY.decode()),
    }


@pytest.mark.parametrize("platform", STOREFRONTS)
def test_each_live_secret_is_accepted_while_secrets_rotate(platform):
    for secret in (OLD, NEW):
        STOREFRONTS[platform].verify(signed(platform, secret), BODY, [NEW, OLD], NOW)


@pytest.mark.parametrize("platform", STOREFRONTS)
@pytest.mark.parametrize(
    ("headers", "body", "secrets"),
    [
        pytest.param("signed", BODY[:-1] + b" ", [NEW], id="a byte changed"),
        pytest.param("signed", BODY + b"\xff", [NEW], id="not text"),
        pytest.param("signed", BODY, [OTHER], id="wrong secret"),
        pytest.param("signed", BODY, [], id="no secret"),
        pytest.param("signed", BODY, ["", "whsec_", "whsec_%"], id="empty or broken secrets"),
        pytest.param("none", BODY, [NEW], id="no header"),
        pytest.param("odd", BODY, [NEW], id="header of another alphabet"),
        pytest.param("empty", BODY, [NEW, ""], id="empty header"),
    ],
)
def test_everything_else_is_refused(platform, headers, body, secrets):
    given = signed(platform, NEW)
    if headers == "none":
        given = {}
    elif headers != "signed":
        given = given | {
            name: {"odd": "v1,ü=, ☃", "empty": ""}[headers]
            for name in given
            if "signature" in name or "hmac" in name
        }
    with pytest.raises(Unauthentic):
        STOREFRONTS[platform].verify(given, body, secrets, NOW)


@pytest.mark.parametrize("missing", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_each_standard_header_is_needed(missing):
    headers = {name: value for name, value in signed("generic", NEW).items() if name != missing}
    with pytest.raises(Unauthentic):
        GENERIC.verify(headers, BODY, [NEW], NOW)


def test_a_stamp_holds_for_300_seconds_either_way():
    headers = signed("generic", NEW)
    for seconds in (-300, 0, 300):
        GENERIC.verify(headers, BODY, [NEW], NOW + timedelta(seconds=seconds))
    for seconds in (-301, 301):
        with pytest.raises(Unauthentic):
            GENERIC.verify(headers, BODY, [NEW], NOW + timedelta(seconds=seconds))
    for stamp in ("1e9", "-5", "٣", "9" * 40, "soon"):
        with pytest.raises(Unauthentic):
            GENERIC.verify(headers | {"webhook-timestamp": stamp}, BODY, [NEW], NOW)


def test_a_second_signature_in_the_header_counts():
    headers = signed("generic", OLD)
    headers["webhook-signature"] = "v1a,abc v1,AAAA " + headers["webhook-signature"]
    GENERIC.verify(headers, BODY, [OLD], datetime.fromtimestamp(NOW.timestamp(), UTC))
