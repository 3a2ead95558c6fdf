/** Most stacked VLAN tags a frame may carry; 802.1ad (QinQ) needs two. */
export const MAX_VLAN_TAGS = 4;
