"""The samples of a report, read back as rows: for the page that shows them and for what else keeps them."""

from collections.abc import Mapping, Sequence

from rag_llm_system.application.evaluation.answers.asked import Asked, bold_titles
from rag_llm_system.application.evaluation.answers.report import Sample
from rag_llm_system.application.evaluation.answers.scoring import Scene, of_answers
from rag_llm_system.domain.written_answers import WrittenAnswer

_OF_TEXTS = ("style", "grounded", "hallucinated_titles", "citations", "faithfulness")
"""What can be measured of a text alone: samples do not keep how it ended and which titles were right."""


def asked_of_sample(sample: Sample) -> Asked:
    return Asked(
        question=sample.question,
        context=sample.context,
        reference=sample.reference,
        titles=bold_titles(sample.context),
    )


def scores_of_samples(samples: Sequence[Sample], model: str) -> list[Mapping[str, float]]:
    """For each sample, the metrics of the model's answer that apply to it."""
    scene = Scene.of(
        [asked_of_sample(sample) for sample in samples], [sample.context for sample in samples]
    )
    answers = [WrittenAnswer(text=sample.answers[model], ended=True) for sample in samples]
    measured = of_answers(answers, scene)
    return [
        {
            name: measured[name][n].value
            for name in _OF_TEXTS
            if n in measured.get(name, {}) and measured[name][n].weight
        }
        for n in range(len(samples))
    ]
