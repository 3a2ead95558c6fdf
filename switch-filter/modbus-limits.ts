/** Requests that may wait for their answers on one connection; further ones wait unread. @see MODBUS Messaging on TCP/IP V1.0b §4.2.2 */
export const MAX_PENDING = 16;
/** Real ms a server may take to answer. */
export const ANSWER_TIMEOUT_MS = 5000;
/** Real ms a frame may stay incomplete. */
export const PARTIAL_FRAME_TIMEOUT_MS = 10_000;
/** Requests whose time is up and whose answers may still come. */
export const MAX_LATE = 16;
/** Answers of one connection that had to be withheld; one more, and it is closed. */
export const MAX_WITHHELD = 16;
