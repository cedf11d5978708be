"""The HTTP side: TensorFlow Serving's REST v1, the Open Inference Protocol v2, health, metrics, a page."""
