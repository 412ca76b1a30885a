"""What the service keeps: accounts, and the sessions of those who are logged in."""

from dataclasses import dataclass


class AccountError(Exception):
    """What a caller did wrong: a name that is taken, a wrong password, a session that is over."""


@dataclass(frozen=True)
class Account:
    """A person who may log in; ``password_hash`` is what ``auth.hash_password`` made, never the password."""

    name: str
    password_hash: str
    is_admin: bool = False


@dataclass(frozen=True)
class Session:
    """One login of an account; it ends by itself at ``expires_at``, in seconds since 1970."""

    token: str
    account_name: str
    expires_at: float


class Accounts:
    """All accounts, by name; upper and lower case are the same."""

    def __init__(self) -> None:
        self._by_name: dict[str, Account] = {}

    def add(self, account: Account) -> None:
        """Keep a new account. Raises AccountError when its name is taken."""
        key = account.name.casefold()
        if key in self._by_name:
            raise AccountError(f"the name {account.name!r} is taken")
        self._by_name[key] = account

    def find(self, name: str) -> Account | None:
        return self._by_name.get(name.casefold())

    def __len__(self) -> int:
        return len(self._by_name)
