"""``uvicorn api.main:build --factory``: the API over the real world, from settings."""

from fastapi import FastAPI

from adapters.settings import Settings
from adapters.telemetry import logs
from api.app import create_app
from api.compose import deps_of


def build() -> FastAPI:
    """Return the application; refuses to start on settings that are no good."""
    settings = Settings().check()
    logs.configure(settings.log_level)
    return create_app(deps_of(settings))
