/**
 * ONNX Runtime 1.30 gives a machine an identifier, writes events to a data base in the user's cache and sends them to its
 * makers, unless this variable is set before it is loaded. Import this before it, in the main thread: a worker thread's
 * variables are its own.
 */
process.env.ORT_DISABLE_TELEMETRY = '1';
