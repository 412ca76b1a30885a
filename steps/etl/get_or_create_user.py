"""The author whose links are crawled."""

from typing import Annotated

from rag_llm_system.domain.documents import Author
from steps.session import current_system
from steps.tracing import traced_step


@traced_step
def get_or_create_user(user_full_name: str) -> Annotated[Author, "user"]:
    store = current_system().documents
    author = store.find_author(user_full_name) or Author.named(user_full_name)
    store.save_author(author)
    return author
