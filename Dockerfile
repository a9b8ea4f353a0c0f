# CPU:   docker build -t afterscene .
# CUDA:  docker build -t afterscene:cuda --build-arg BASE=nvidia/cuda:13.0.1-base-ubuntu24.04 .
# Run:   docker run --rm -v "$PWD:/data" -u "$(id -u):$(id -g)" afterscene doctor     (CUDA: --gpus all)
#
# pip installs torch with CUDA by default. For a smaller CPU image give the index of torch's CPU
# wheels: --build-arg PIP_EXTRA_INDEX_URL=...
ARG BASE=python:3.12-slim-bookworm

FROM ${BASE} AS base
# GDAL in rasterio's wheel needs libexpat; CUDA images come without Python. No pins: the base decides.
# hadolint ignore=DL3008,SC2046
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
       libexpat1 $(command -v python3 > /dev/null || echo python3 python3-venv) \
    && rm -rf /var/lib/apt/lists/*

FROM base AS build
ARG EXTRAS=encoders,geo,lab,train
ARG PIP_EXTRA_INDEX_URL
WORKDIR /build
COPY constraints.txt pyproject.toml README.md LICENSE ./
COPY src src
RUN --mount=type=cache,target=/pip-cache \
    python3 -m venv /venv \
    && PIP_CACHE_DIR=/pip-cache /venv/bin/pip install -c constraints.txt ".[${EXTRAS}]"

FROM base
COPY --from=build /venv /venv
# HOME: any user id may run it, and matplotlib wants a folder to write to.
ENV PATH=/venv/bin:$PATH HOME=/tmp NVIDIA_DRIVER_CAPABILITIES=compute,utility
WORKDIR /data
USER 1000:1000
ENTRYPOINT ["afterscene"]
CMD ["--help"]
