"""Import a service: from darknet or from any ONNX file, checked, with a description to start from."""
