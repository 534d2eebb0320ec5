/** Commands of the Python toolkit, which has the same name: docs/training.md. */
export const toolkitCommands = [
  ...['import', 'topology', 'pack', 'train', 'cut', 'export', 'annotate'],
  ...['evaluate', 'rate', 'clips', 'decisions', 'variants', 'reveal', 'baselines', 'links', 'edge', 'quantise', 'yuv'],
];
