"""A model as an ONNX graph and file."""
