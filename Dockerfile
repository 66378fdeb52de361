# One image for every process of Nalanda; the command says which:
#   docker run nalanda serve --host 0.0.0.0      the API (the default); needs NALANDA_API_KEYS
#   docker run nalanda worker                    a worker
ARG PYTHON_IMAGE=python:3.12-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
WORKDIR /src
RUN python -m pip install --no-cache-dir --disable-pip-version-check uv
# The system's certificates, so that it builds behind a company's proxy as well.
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never UV_SYSTEM_CERTS=1 \
    UV_PROJECT_ENVIRONMENT=/opt/nalanda
# Dependencies first: they change seldom, and so this layer is seldom made again.
COPY pyproject.toml uv.lock ./
COPY sdk/pyproject.toml sdk/
RUN uv sync --frozen --no-default-groups --extra object-store --extra tracing --no-install-workspace
COPY . .
RUN uv sync --frozen --no-default-groups --extra object-store --extra tracing --no-editable

FROM ${PYTHON_IMAGE}
RUN useradd --system --uid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin nalanda \
    && install -d -o nalanda -g nalanda /data
COPY --from=build /opt/nalanda /opt/nalanda
ENV PATH=/opt/nalanda/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 NALANDA_DATA_DIR=/data
USER nalanda
WORKDIR /data
VOLUME /data
EXPOSE 8000
# Alive, not ready: an API that still loads its libraries must not be killed for it.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/livez', timeout=2)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["nalanda"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
