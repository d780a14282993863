# Longlead in a container: the API and a worker. Give it a volume for /data (or LONGLEAD_DATABASE_URL), keys in
# LONGLEAD_API_KEYS, and a stop timeout of 60 s. compose.yaml shows all three.
FROM python:3.12-slim
RUN useradd --create-home longlead && mkdir /data && chown longlead /data
WORKDIR /opt/longlead
COPY requirements-build.txt requirements.txt ./
RUN pip install --no-cache-dir --only-binary :all: --require-hashes -r requirements-build.txt \
 && pip install --no-cache-dir --no-build-isolation --require-hashes -r requirements.txt
COPY . .
RUN pip install --no-cache-dir --no-build-isolation --no-deps -e .
USER longlead
ENV LONGLEAD_DATA_DIR=/data LONGLEAD_HOST=0.0.0.0
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["longlead", "serve"]
