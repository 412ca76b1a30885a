# One file, two images:
#   docker build --target rag-api   -t rag-llm-system-rag-api .
#   docker build --target inference -t rag-llm-system-inference .
# The RAG API takes torch's build for processors, the inference server the one for CUDA. The RAG API stands last: hosts
# that build without naming a target build that one.

FROM python:3.12-slim-bookworm AS base
ENV PYTHONUTF8=1 PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_SYSTEM_PYTHON=1 \
    DATA_DIR=/data
RUN useradd --uid 10001 --create-home --shell /usr/sbin/nologin rag \
    && install -d -o rag -g rag /data
WORKDIR /app
COPY constraints.txt pyproject.toml README.md LICENSE ./
RUN pip install --no-cache-dir --constraint constraints.txt uv

FROM base AS inference
# images are built where no GPU is: the build of torch is named, and fits drivers from 580 on
RUN uv pip install --no-cache --torch-backend cu130 --constraint constraints.txt --requirement pyproject.toml
COPY . .
RUN uv pip install --no-cache --no-deps --editable .
USER 10001
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=300s --retries=4 \
    CMD ["python", "-m", "tools.healthy", "http://127.0.0.1:8000/ready"]
# as poe deploy-inference-local; it wants INFERENCE_API_KEYS, and a model in /data/models
CMD ["python", "-m", "tools.inference_server", "--host", "0.0.0.0"]

FROM base AS rag-api
# the packages in a layer of their own: they change less often than the code
RUN uv pip install --no-cache --torch-backend cpu --constraint constraints.txt --requirement pyproject.toml
COPY . .
RUN uv pip install --no-cache --no-deps --editable .
USER 10001
VOLUME /data
EXPOSE 8001
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=4 \
    CMD ["python", "-m", "tools.healthy", "http://127.0.0.1:8001/ready"]
# as poe run-inference-ml-service; it wants RAG_API_KEYS, for it listens on all addresses
CMD ["python", "-m", "tools.ml_service", "--host", "0.0.0.0"]
