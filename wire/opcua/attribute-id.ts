/** Attribute ids of nodes (OPC 10000-6 v1.05 §A.1). Rules on tags mean `Value`. */
const ATTRIBUTE_NAMES = {
  1: "NodeId",
  2: "NodeClass",
  3: "BrowseName",
  4: "DisplayName",
  5: "Description",
  6: "WriteMask",
  7: "UserWriteMask",
  8: "IsAbstract",
  9: "Symmetric",
  10: "InverseName",
  11: "ContainsNoLoops",
  12: "EventNotifier",
  13: "Value",
  14: "DataType",
  15: "ValueRank",
  16: "ArrayDimensions",
  17: "AccessLevel",
  18: "UserAccessLevel",
  19: "MinimumSamplingInterval",
  20: "Historizing",
  21: "Executable",
  22: "UserExecutable",
  23: "DataTypeDefinition",
  24: "RolePermissions",
  25: "UserRolePermissions",
  26: "AccessRestrictions",
  27: "AccessLevelEx",
} as const;

/** The attribute that carries a variable's value. */
export const VALUE_ATTRIBUTE_ID = 13;

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(ATTRIBUTE_NAMES).map(([id, name]) => [Number(id), name]),
);

/** Name of an attribute id; its number as text when the standard has no such attribute. */
export function attributeName(attributeId: number): string {
  return NAMES.get(attributeId) ?? String(attributeId);
}
