import { sign } from 'node:crypto';
import { AsnConvert } from '@peculiar/asn1-schema';
import {
  AuthorityKeyIdentifier,
  CertificateList,
  CRLNumber,
  id_ce_authorityKeyIdentifier,
  id_ce_cRLNumber,
  KeyIdentifier,
  RevokedCertificate,
  TBSCertList,
  Time,
  Version,
} from '@peculiar/asn1-x509';
import { commonName, ecdsaWithSha256, extension, type Issuer, keyIdentifier, pemOf } from './certificate.js';

/** A certificate that is not to be trusted any more. */
export interface Revoked {
  /** Hexadecimal. */
  serial: string;
  since: Date;
}

/**
 * An X.509 certificate revocation list, version 2. Brokers refuse everybody once a list is out of date, so it lasts as long as
 * the authority.
 * @returns PEM
 */
export function revocationList(issuer: Issuer, revoked: Revoked[], until: Date): string {
  const now = new Date();
  const tbsCertList = new TBSCertList({
    version: Version.v2,
    signature: ecdsaWithSha256,
    issuer: commonName(issuer.name),
    thisUpdate: new Time(now),
    nextUpdate: new Time(until),
    ...(revoked.length > 0 && {
      revokedCertificates: revoked.map(
        ({ serial, since }) =>
          new RevokedCertificate({
            userCertificate: new Uint8Array(Buffer.from(serial, 'hex')).buffer,
            revocationDate: new Time(since),
          }),
      ),
    }),
    crlExtensions: [
      extension(
        id_ce_authorityKeyIdentifier,
        new AuthorityKeyIdentifier({ keyIdentifier: new KeyIdentifier(keyIdentifier(issuer.publicKey)) }),
      ),
      // Grows from list to list.
      extension(id_ce_cRLNumber, new CRLNumber(Math.floor(now.getTime() / 1000))),
    ],
  });
  const signature = sign('sha256', Buffer.from(AsnConvert.serialize(tbsCertList)), issuer.privateKey);
  const list = new CertificateList({
    tbsCertList,
    signatureAlgorithm: ecdsaWithSha256,
    signature: new Uint8Array(signature).buffer,
  });
  return pemOf('X509 CRL', AsnConvert.serialize(list));
}
