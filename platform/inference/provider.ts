/** What ONNX Runtime can run models on, best first. Which of them are there depends on the platform and on what is installed. */
export const providers = ['tensorrt', 'cuda', 'coreml', 'dml', 'webgpu', 'cpu'] as const;
export type Provider = (typeof providers)[number];
