export type { CertificateRequest } from './pki/request.js';
export { openSiteCa, type SiteCa } from './pki/site-ca.js';
export { writeOnce } from './pki/write-once.js';
