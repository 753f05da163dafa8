"""The one place where EasyPost's errors become ours.

400, 402, 404, 405, 422        EffectRefused, EasyPost's code kept (``ADDRESS.VERIFY.FAILURE`` …)
401, 403                       ProviderUnavailable: our key is wrong, not the order
408, 429, 5xx, no connection,  ProviderUnavailable
an answer that is no JSON
"""

from easypost.errors.api.api_error import ApiError
from easypost.errors.general.easypost_error import EasyPostError

from domain.errors import DomainError, EffectRefused, ProviderUnavailable

REFUSALS = (400, 402, 404, 405, 422)


def translate(error: EasyPostError) -> DomainError | ProviderUnavailable:
    """Return our error for EasyPost's; messages are cut to 500 characters.

    EasyPost's SDK keeps no response headers, so a Retry-After cannot be passed on.
    """
    text = str(error)[:500]
    if isinstance(error, ApiError) and error.http_status in REFUSALS:
        return EffectRefused(text, error.code)
    return ProviderUnavailable(text)
