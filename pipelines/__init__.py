"""Pipeline graphs. Each module has a configuration model and a graph; neither holds logic."""

from typing import NamedTuple


class PipelineEntry(NamedTuple):
    """Where a pipeline is and which configuration it runs with unless told otherwise."""

    module: str
    config: str


PIPELINES = {
    "digital_data_etl": PipelineEntry(
        "pipelines.digital_data_etl", "configs/digital_data_etl.yaml"
    ),
    "news_etl": PipelineEntry("pipelines.news_etl", "configs/news_etl.yaml"),
    "feature_engineering": PipelineEntry(
        "pipelines.feature_engineering", "configs/feature_engineering.yaml"
    ),
    "end_to_end_data": PipelineEntry("pipelines.end_to_end_data", "configs/end_to_end_data.yaml"),
    "code_index": PipelineEntry("pipelines.code_index", "configs/code_index.yaml"),
    "movies_index": PipelineEntry("pipelines.movies_index", "configs/movies_index.yaml"),
    "inference": PipelineEntry("pipelines.inference", "configs/inference.yaml"),
    "generate_instruct_datasets": PipelineEntry(
        "pipelines.generate_datasets", "configs/generate_instruct_datasets.yaml"
    ),
    "generate_preference_datasets": PipelineEntry(
        "pipelines.generate_datasets", "configs/generate_preference_datasets.yaml"
    ),
    "training": PipelineEntry("pipelines.training", "configs/training.yaml"),
    "evaluating": PipelineEntry("pipelines.evaluating", "configs/evaluating.yaml"),
    "export_artifact_to_json": PipelineEntry(
        "pipelines.export_artifact_to_json", "configs/export_artifact_to_json.yaml"
    ),
}
