/** Link types that are read here. @see https://www.tcpdump.org/linktypes.html */
export const LINK_TYPE = {
  /** BSD loopback, address family in the byte order of the capturing host */
  NULL: 0,
  ETHERNET: 1,
  /** IPv4 or IPv6, told by its version */
  RAW: 101,
  /** the same in captures that carry the number of their system's DLT_RAW: most BSDs and Linux 12, OpenBSD 14 */
  RAW_BSD: 12,
  RAW_OPENBSD: 14,
  /** BSD loopback, address family in network byte order */
  LOOP: 108,
  /** Linux "cooked", as `tcpdump -i any` writes it */
  LINUX_SLL: 113,
  IPV4: 228,
  IPV6: 229,
  /** Linux "cooked" v2 */
  LINUX_SLL2: 276,
} as const;
