"""TensorFlow Serving's gRPC, on both sides."""
