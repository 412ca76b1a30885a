"""Small cross-encoders with random weights, made where they are needed."""

from pathlib import Path

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

_SPECIAL = ["<pad>", "<s>", "</s>", "<unk>"]
_WORDS = ["the", "a", "of", "retrieval", "finds", "passages", "bread", "needs", "need", "flour"]
WINDOW = 64


def save_cross_encoder(folder: Path, *, classes: int = 1) -> Path:
    """Two layers that read ``WINDOW`` tokens; any other word than these few is an unknown one."""
    torch.manual_seed(7)
    vocabulary = {word: i for i, word in enumerate([*_SPECIAL, *_WORDS])}
    made = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    made.normalizer = normalizers.Lowercase()
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> $B:1 </s>:1",
        special_tokens=[("<s>", 1), ("</s>", 2)],
    )
    PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token="<pad>", unk_token="<unk>", cls_token="<s>",
        sep_token="</s>", model_max_length=WINDOW,
    ).save_pretrained(folder)  # fmt: skip
    config = BertConfig(
        num_labels=classes,
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=WINDOW,
        initializer_range=0.3,
    )
    BertForSequenceClassification(config).save_pretrained(folder)
    return folder
