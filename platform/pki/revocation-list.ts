import { createPrivateKey, sign, verify, X509Certificate } from 'node:crypto';
import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import {
  AlgorithmIdentifier,
  AuthorityKeyIdentifier,
  Certificate,
  CertificateList,
  CRLNumber,
  Extension,
  id_ce_authorityKeyIdentifier,
  id_ce_cRLNumber,
  KeyIdentifier,
  RevokedCertificate,
  TBSCertList,
  Time,
  Version,
} from '@peculiar/asn1-x509';
import { keyIdentifier } from './certificate.js';

/** Certificates that an authority took back. */
export interface Revocations {
  /** Serial numbers, as {@link plainSerial} writes them, and when. */
  revoked: ReadonlyMap<string, Date>;
  /** The authority promised a newer list by then. */
  nextUpdate?: Date;
  /** Counts up from list to list. */
  number: number;
}

/**
 * A certificate revocation list (RFC 5280). It promises no newer one before the authority itself ends: nothing at a site makes
 * lists by the clock, and a broker that obeys the promise would shut every device out.
 * @param authority its certificate and key, PEM (ECDSA)
 * @returns PEM
 */
export function signRevocations(
  authority: { certificate: string; key: string },
  { revoked, number }: Pick<Revocations, 'revoked' | 'number'>,
  now = new Date(),
): string {
  const own = new X509Certificate(authority.certificate);
  const { subject } = AsnConvert.parse(own.raw, Certificate).tbsCertificate;
  const signature = new AlgorithmIdentifier({ algorithm: '1.2.840.10045.4.3.2' });
  const extension = (extnID: string, value: unknown): Extension =>
    new Extension({ extnID, critical: false, extnValue: new OctetString(AsnConvert.serialize(value)) });
  const tbsCertList = new TBSCertList({
    version: Version.v2,
    signature,
    issuer: subject,
    thisUpdate: new Time(now),
    nextUpdate: new Time(new Date(own.validTo)),
    ...(revoked.size > 0 && {
      revokedCertificates: [...revoked].map(
        ([serial, at]) =>
          new RevokedCertificate({ userCertificate: serialBytes(serial), revocationDate: new Time(at) }),
      ),
    }),
    crlExtensions: [
      extension(
        id_ce_authorityKeyIdentifier,
        new AuthorityKeyIdentifier({ keyIdentifier: new KeyIdentifier(keyIdentifier(own.publicKey)) }),
      ),
      extension(id_ce_cRLNumber, new CRLNumber(number)),
    ],
  });
  const signed = sign('sha256', Buffer.from(AsnConvert.serialize(tbsCertList)), createPrivateKey(authority.key));
  const list = new CertificateList({
    tbsCertList,
    signatureAlgorithm: signature,
    signature: new Uint8Array(signed).buffer,
  });
  const text = Buffer.from(AsnConvert.serialize(list)).toString('base64').replace(/.{64}/g, '$&\n').trimEnd();
  return `-----BEGIN X509 CRL-----\n${text}\n-----END X509 CRL-----\n`;
}

/**
 * Reads a list and checks that one of the authorities signed it.
 * @param list PEM @param authorities PEM, one certificate or more
 * @throws Error that says what is wrong
 */
export function readRevocationList(list: string, authorities: string): Revocations {
  const [, text] = /-----BEGIN X509 CRL-----([\s\S]+?)-----END X509 CRL-----/.exec(list) ?? [];
  if (text === undefined) throw new Error('holds no revocation list');
  const raw = Buffer.from(text, 'base64');
  let parsed: CertificateList;
  try {
    parsed = AsnConvert.parse(raw, CertificateList);
  } catch (error) {
    throw new Error(`holds no revocation list: ${(error as Error).message}`);
  }
  const { tbsCertList, tbsCertListRaw, signatureAlgorithm } = parsed;
  const hash = hashes[signatureAlgorithm.algorithm];
  if (!hash || !tbsCertListRaw)
    throw new Error(`is signed in a way that is not known (${signatureAlgorithm.algorithm})`);
  const certificates = authorities.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
  const isSigned = certificates.some((pem) => {
    const { publicKey } = new X509Certificate(pem);
    return verify(hash, Buffer.from(tbsCertListRaw), publicKey, Buffer.from(parsed.signature));
  });
  if (!isSigned) throw new Error('is not signed by the authority');
  const number = tbsCertList.crlExtensions?.find(({ extnID }) => extnID === id_ce_cRLNumber);
  return {
    revoked: new Map(
      (tbsCertList.revokedCertificates ?? []).map(({ userCertificate, revocationDate }) => [
        plainSerial(Buffer.from(userCertificate).toString('hex')),
        revocationDate.getTime(),
      ]),
    ),
    nextUpdate: tbsCertList.nextUpdate?.getTime(),
    number: number ? Number(AsnConvert.parse(number.extnValue.buffer, CRLNumber).value) : 0,
  };
}

/** Hexadecimal, as everybody writes it differently: lower case, without colons and zeros in front. */
export function plainSerial(serial: string): string {
  return serial.toLowerCase().replaceAll(':', '').replace(/^0+/, '');
}

/** ECDSA and RSA with SHA-2. */
const hashes: Readonly<Record<string, string>> = {
  '1.2.840.10045.4.3.2': 'sha256',
  '1.2.840.10045.4.3.3': 'sha384',
  '1.2.840.10045.4.3.4': 'sha512',
  '1.2.840.113549.1.1.11': 'sha256',
  '1.2.840.113549.1.1.12': 'sha384',
  '1.2.840.113549.1.1.13': 'sha512',
};

/** A positive integer of ASN.1 begins with a clear bit. */
function serialBytes(serial: string): ArrayBuffer {
  const even = serial.length % 2 === 0 ? serial : `0${serial}`;
  const bytes = Buffer.from(even, 'hex');
  return new Uint8Array(bytes[0] >= 0x80 ? [0, ...bytes] : bytes).buffer;
}
