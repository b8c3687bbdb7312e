"""The program of a helper process: `python -m dhu_graph.ingest.helper` does the batches that its parent sends."""

from dhu_graph.ingest.batch import serve

if __name__ == "__main__":
    serve()
