export type { CertificateRequest } from './pki/request.js';
export { plainSerial, type Revocations, readRevocationList, signRevocations } from './pki/revocation-list.js';
export { openSiteCa, type SiteCa } from './pki/site-ca.js';
export { writeOnce } from './pki/write-once.js';
