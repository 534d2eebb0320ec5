/** Writes a profile, in a process that may be cut: `keep-profile.js FILE FINGERPRINT`. */
const { writeProfile } = await import('../../../agent/partition/profile.js');
const [file, fingerprint] = process.argv.slice(2);
writeProfile(file, {
  fingerprint,
  device_ms: Object.fromEntries([...Array(50).keys()].map((i) => [`p${i}`, i])),
  edge_ms: {},
});
