"""Messages for errors: the cause and the remedy, in one line."""

import pydantic
from pydantic_settings import SettingsError

from core.domain.errors import NalandaError as ServerError
from nalanda import (
    AuthenticationError,
    ConnectionFailed,
    InvalidAddress,
    InvalidCertificates,
    InvalidProxy,
    NalandaError,
    ProxyFailed,
)


def advice(error: Exception) -> str | None:
    """Return the cause and the remedy of an error, or `None` for an unexpected error."""
    match error:
        case InvalidAddress():
            line = f"{_sentence(error)} Set NALANDA_API_URL to an address such as http://127.0.0.1:8000."
        case InvalidProxy() | InvalidCertificates() | ProxyFailed():
            line = _sentence(error)
        case ConnectionFailed():
            line = f"{_sentence(error)} Start the server with `nalanda up`, or set NALANDA_API_URL."
        case AuthenticationError():
            line = f"{_sentence(error)} Set NALANDA_API_KEYS to one of the server's keys."
        case NalandaError() | ServerError() | SettingsError():
            line = str(error)
        case pydantic.ValidationError(title="Settings"):
            line = _settings_line(error)
        case _:
            return None
    return " ".join(line.split())


def _sentence(error: Exception) -> str:
    return f"{str(error).rstrip('.')}."


def _settings_line(error: pydantic.ValidationError) -> str:
    faults = [f"{_variable(fault['loc'])}: {fault['msg']}" for fault in error.errors()]
    return f"The settings are invalid. {'; '.join(faults)}."


def _variable(loc: tuple[int | str, ...]) -> str:
    """Return the environment variable of a setting; an alias has no prefix."""
    name = str(loc[0]) if loc else "?"
    return name if name.isupper() else f"NALANDA_{name.upper()}"
