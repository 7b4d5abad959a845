# rnnplay on a CPU, with what `rnnplay serve` needs. How to build and run it: docs/platforms.md.
FROM python:3.13-slim AS build
COPY constraints.txt pyproject.toml hatch_build.py README.md LICENSE /src/
COPY rnnplay /src/rnnplay
COPY corpora /src/corpora
# PyPI's torch for Linux has the CUDA libraries with it, several gigabytes.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
RUN python3 -m venv /opt/rnnplay \
    && /opt/rnnplay/bin/pip install --no-cache-dir --extra-index-url "$TORCH_INDEX" \
        -c /src/constraints.txt '/src[web]'

FROM python:3.13-slim
COPY --from=build /opt/rnnplay /opt/rnnplay
RUN useradd --create-home --uid 1000 rnnplay && install -d -o rnnplay -g rnnplay /workspace
# The settings and keymap.toml lie with the runs, so that they outlast the container.
ENV PATH=/opt/rnnplay/bin:$PATH \
    RNNPLAY_WORKSPACE=/workspace \
    RNNPLAY_CONFIG=/workspace/settings.json \
    LANG=C.UTF-8 \
    COLORTERM=truecolor
USER 1000:1000
WORKDIR /workspace
VOLUME /workspace
EXPOSE 8000
ENTRYPOINT ["rnnplay"]
