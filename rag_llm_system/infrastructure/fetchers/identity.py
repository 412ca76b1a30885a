"""How the crawler names itself to web servers."""

from rag_llm_system.domain.errors import ConfigurationError

USER_AGENT = "rag-llm-system/0.1"
"""The product token, which robots.txt files address, and the version of the project."""


def user_agent(contact: str) -> str:
    """The User-Agent header, with an e-mail address or a web page where the operator can be reached unless ""."""
    if not contact:
        return USER_AGENT
    plain = contact.isascii() and contact.isprintable() and not set(contact) & set(" ()\\")
    if not plain or not ("@" in contact or contact.startswith(("https://", "http://"))):
        raise ConfigurationError(
            f"the contact {contact!r} for the User-Agent must be an e-mail address or an http(s) link, "
            "in ASCII, without spaces and brackets"
        )
    return f"{USER_AGENT} (+{contact})"
