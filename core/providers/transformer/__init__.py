"""The provider `transformer`: sentence-transformers and cross-encoders on onnxruntime, no torch."""
