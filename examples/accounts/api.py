"""The service as its callers see it: requests and responses as dictionaries, errors as status codes.

python api.py '{"action": "register", "name": "Ada", "password": "correct horse battery"}'
"""

import json
import sys
from collections.abc import Callable, Mapping

from auth import Authenticator
from models import AccountError, Accounts
from session import SessionStore

Request = Mapping[str, str]
Response = dict[str, object]

BAD_REQUEST, UNAUTHORISED, NOT_FOUND = 400, 401, 404


class Api:
    """Dispatches requests by their ``action``; a response always has a ``status``."""

    def __init__(self) -> None:
        self._accounts = Accounts()
        self._authenticator = Authenticator(self._accounts)
        self._sessions = SessionStore()
        self._actions: dict[str, Callable[[Request], Response]] = {
            "register": self._register,
            "login": self._login,
            "logout": self._logout,
            "profile": self._profile,
        }

    def handle(self, request: Request) -> Response:
        """The response to one request: every error of a caller becomes a status code and a message."""
        action = self._actions.get(request.get("action", ""))
        if action is None:
            return {"status": NOT_FOUND, "error": f"actions: {', '.join(sorted(self._actions))}"}
        try:
            return {"status": 200, **action(request)}
        except KeyError as missing:
            return {"status": BAD_REQUEST, "error": f"{missing} is missing"}
        except AccountError as error:
            return {"status": UNAUTHORISED, "error": str(error)}

    def _register(self, request: Request) -> Response:
        account = self._authenticator.register(request["name"], request["password"])
        return {"name": account.name}

    def _login(self, request: Request) -> Response:
        account = self._authenticator.authenticate(request["name"], request["password"])
        return {"token": self._sessions.create(account).token}

    def _logout(self, request: Request) -> Response:
        self._sessions.end(request["token"])
        return {}

    def _profile(self, request: Request) -> Response:
        session = self._sessions.renew(request["token"])
        account = self._accounts.find(session.account_name)
        return {"name": session.account_name, "is_admin": bool(account and account.is_admin)}


def main() -> None:
    """Answer the requests of the command line, one after the other, with one service."""
    api = Api()
    for argument in sys.argv[1:]:
        sys.stdout.write(json.dumps(api.handle(json.loads(argument))) + "\n")


if __name__ == "__main__":
    main()
