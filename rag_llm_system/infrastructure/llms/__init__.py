"""Language models behind the port ``LLM``. The default answer needs none: see ``application/rag/answer.py``."""

LLMS = {
    "openai": "rag_llm_system.infrastructure.llms.openai:OpenAIChat",
    "local": "rag_llm_system.model.inference.local:LocalInferenceLLM",
    "ollama": "rag_llm_system.infrastructure.llms.ollama:OllamaChat",
    "sagemaker": "rag_llm_system.infrastructure.llms.sagemaker:SageMakerChat",
    "scripted": "rag_llm_system.infrastructure.llms.scripted:ScriptedLLM",
}
