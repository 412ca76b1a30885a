"""How good the answers of a fine-tuned model are, beside those of its base and of the version that serves.

::

    report.py        what an evaluation leaves: scores with intervals, comparisons, samples
    intervals.py     bootstrap intervals of shares and means, and of their differences
    asked.py         a row of a test set as a question with its context and its reference
    fields.py        what grounded decoding holds an answer to
    style.py         enthusiasm, bold titles and reasons; or the likeness to an author's prose
    grounding.py     titles that are named, and whether the context has them
    refusal.py       what an answer does when the library lacks what was asked for
    memorisation.py  what comes out of the training set when the context is taken away
    citations.py     [n] that exist, and statements that their sources support
    faithfulness.py  words, numbers and names of an answer that its source has
    judge.py         a language model's opinion on accuracy and style
    scoring.py       the table of metrics
    material.py      the rows that are drawn for an evaluation
    reporting.py     measured rows become scores and comparisons
    evaluate.py      the use case
    samples.py       the samples of a report as rows
    page.py          the page that shows the models side by side
"""
