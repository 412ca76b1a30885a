"""Authentication: how the service knows who somebody is.

A person registers with a name and a password, and authenticates with both from then on. Passwords are hashed with
scrypt and compared in constant time.
"""

import hashlib
import hmac
import secrets

from models import Account, AccountError, Accounts

MIN_PASSWORD_CHARS = 12

# 2**14 blocks of 1 KiB: 16 MiB and some 50 ms for each guess
_COST, _BLOCK_SIZE, _PARALLEL = 2**14, 8, 1
_SALT_BYTES = 16


def hash_password(password: str, salt: bytes | None = None) -> str:
    """Salt and scrypt hash of a password, as ``salt$hash`` in hexadecimal; a new salt each time."""
    salt = salt or secrets.token_bytes(_SALT_BYTES)
    hashed = hashlib.scrypt(password.encode(), salt=salt, n=_COST, r=_BLOCK_SIZE, p=_PARALLEL)
    return f"{salt.hex()}${hashed.hex()}"


def verify_password(password: str, password_hash: str) -> bool:
    """Whether the password is the one that was hashed; how long it takes says nothing about it."""
    salt, _, _ = password_hash.partition("$")
    return hmac.compare_digest(hash_password(password, bytes.fromhex(salt)), password_hash)


_NOBODY = Account(name="", password_hash=hash_password(""))


class Authenticator:
    """Registers people, and checks the name and the password of those who log in."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    def register(self, name: str, password: str) -> Account:
        """A new account. Raises AccountError for a short password or a name that is taken."""
        if len(password) < MIN_PASSWORD_CHARS:
            raise AccountError(f"a password has {MIN_PASSWORD_CHARS} characters or more")
        account = Account(name=name, password_hash=hash_password(password))
        self._accounts.add(account)
        return account

    def authenticate(self, name: str, password: str) -> Account:
        """The account of that name, if the password is right; AccountError otherwise.

        A name that nobody has takes as long as a wrong password, so that names cannot be guessed.
        """
        account = self._accounts.find(name)
        is_right = verify_password(password, (account or _NOBODY).password_hash)
        if account is None or not is_right:
            raise AccountError("wrong name or password")
        return account
