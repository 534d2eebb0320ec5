/** Bytes of an edge's answer over a link: boxes of a few people. */
export const ANSWER_BYTES = 600;
