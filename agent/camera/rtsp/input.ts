/** What ffmpeg and ffprobe may open: the stream and what it is made of, and the list below. */
const PROTOCOLS = 'pipe,rtsp,rtsps,rtp,srtp,udp,tcp,tls,crypto';

/**
 * The stream as an input of ffmpeg and ffprobe. The address holds a password and everybody may read a process' arguments:
 * it goes through standard input, as a list of one entry. Over TCP: what UDP loses shows as grey smear, and detectors see it.
 */
export const STREAM = ['-protocol_whitelist', PROTOCOLS, '-f', 'concat', '-safe', '0', '-i', 'pipe:0'] as const;

export function streamList(address: string): string {
  return `ffconcat version 1.0\nfile '${address}'\noption rtsp_transport tcp\n`;
}
