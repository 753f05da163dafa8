"""The providers that come with Waybill, built from settings; named as entry points.

Each SDK is imported only when its provider is chosen.
"""

from typing import TYPE_CHECKING

from adapters.settings import Settings

if TYPE_CHECKING:
    from ports.carriers import Carrier
    from ports.fraud import FraudVendor
    from ports.messages import Mailer
    from ports.payments import PaymentGateway
    from ports.warehouses import Warehouse


def stripe(settings: Settings) -> "PaymentGateway":
    """Return Stripe as the payment provider."""
    from adapters.payments.stripe import StripeGateway

    return StripeGateway(settings.stripe_api_key.get_secret_value(), settings.stripe_base_url)


def easypost(settings: Settings) -> "Carrier":
    """Return EasyPost as the carrier."""
    from adapters.carriers.easypost import EasyPostCarrier

    return EasyPostCarrier(settings.easypost_api_key.get_secret_value(), settings.easypost_base_url)


def wms(settings: Settings) -> "Warehouse":
    """Return the merchant's warehouse system."""
    from adapters.warehouses.wms import WmsWarehouse

    return WmsWarehouse(settings.wms_url, settings.wms_key.get_secret_value())


def smtp(settings: Settings) -> "Mailer":
    """Return the mail server."""
    from adapters.messages.smtp import Encryption, SmtpMailer

    return SmtpMailer(
        settings.smtp_host,
        settings.smtp_port,
        sender=settings.smtp_sender,
        username=settings.smtp_user,
        password=settings.smtp_password.get_secret_value(),
        encryption=Encryption(settings.smtp_tls),
    )


def http(settings: Settings) -> "FraudVendor":
    """Return a fraud vendor that is asked over HTTP."""
    from adapters.fraud.http_vendor import HttpFraudVendor

    return HttpFraudVendor(settings.fraud_url, settings.fraud_key.get_secret_value())
