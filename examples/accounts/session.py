"""Sessions: a random token stands for somebody who logged in, until it expires or is ended."""

import secrets
import time
from collections.abc import Callable

from models import Account, AccountError, Session

LIFETIME_S = 30 * 60
_TOKEN_BYTES = 32


class SessionStore:
    """The open sessions, by token. Each use of a session makes it last half an hour more."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._open: dict[str, Session] = {}

    def create(self, account: Account) -> Session:
        """A new session; its token cannot be guessed."""
        session = Session(
            token=secrets.token_urlsafe(_TOKEN_BYTES),
            account_name=account.name,
            expires_at=self._clock() + LIFETIME_S,
        )
        self._open[session.token] = session
        return session

    def renew(self, token: str) -> Session:
        """The session of a token, with its full lifetime again. Raises AccountError when it is over."""
        session = self._open.get(token)
        if session is None or session.expires_at <= self._clock():
            self.end(token)
            raise AccountError("the session is over; log in again")
        renewed = Session(token, session.account_name, self._clock() + LIFETIME_S)
        self._open[token] = renewed
        return renewed

    def end(self, token: str) -> None:
        """Log out: the token is worth nothing from now on. An unknown one is no error."""
        self._open.pop(token, None)

    def remove_expired(self) -> int:
        """Forget the sessions whose time is over; how many there were."""
        now = self._clock()
        expired = [token for token, session in self._open.items() if session.expires_at <= now]
        for token in expired:
            self.end(token)
        return len(expired)
