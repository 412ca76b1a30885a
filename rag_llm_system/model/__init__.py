"""What needs torch: fine-tuning, evaluation of models, text generation."""

import logging

# peft imports bitsandbytes, which complains on some processors of a package that nobody asked for
logging.getLogger("bitsandbytes.backends.cpu.ops").setLevel(logging.ERROR)
