"""What people write first: an endpoint around ``model.generate``, one request at a time, without streaming."""

import sys
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel


class Asked(BaseModel):
    messages: list[dict[str, str]]
    max_new_tokens: int


def naive_app(folder: str) -> FastAPI:
    """The model is loaded before the port is open, and an answer keeps everybody else waiting."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    app = FastAPI()

    @app.get("/ready")
    def ready() -> dict[str, str]:
        return {"status": "ready"}

    @app.post("/infer")
    async def infer(asked: Asked) -> dict[str, Any]:
        prompt = tokenizer.apply_chat_template(
            asked.messages, add_generation_prompt=True, return_dict=True, return_tensors="pt"
        )
        with torch.inference_mode():
            written = model.generate(**prompt, max_new_tokens=asked.max_new_tokens, do_sample=False)
        answer = written[0, prompt["input_ids"].shape[1] :]
        return {"generated_text": tokenizer.decode(answer), "tokens": len(answer)}

    return app


if __name__ == "__main__":
    import uvicorn

    uvicorn.run(naive_app(sys.argv[1]), port=int(sys.argv[2]), log_level="warning")
