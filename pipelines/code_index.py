"""A folder of source files -> vector store: read, chunk and embed what changed."""

from pydantic import Field
from zenml import pipeline
from zenml.enums import ExecutionMode

from rag_llm_system.domain.documents import Value
from steps.code_index.index_code import index_code
from steps.code_index.mine_code import mine_code


class Config(Value):
    """Which folder, the name that its code base is known by ("": the folder's), and which of its files.

    ``extensions`` keeps only such files, ``exclude`` leaves out more than the folder's .gitignore files do, in their
    own words.
    """

    root: str = Field(min_length=1)
    name: str = ""
    extensions: list[str] = Field(default_factory=list)
    exclude: list[str] = Field(default_factory=list)


@pipeline(enable_cache=False, execution_mode=ExecutionMode.FAIL_FAST)
def code_index(root: str, name: str, extensions: list[str], exclude: list[str]) -> None:
    files, _ = mine_code(root=root, extensions=extensions, exclude=exclude)
    index_code(code_files=files, root=root, name=name)


graph = code_index
