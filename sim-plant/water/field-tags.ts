/** The tags on the field wiring, by soft PLC. The names are those of the plant's inventory. */
export const PLC1_INPUTS = ["LIT101", "FIT101", "AIT201", "MV101.POS", "MV101.OPEN", "P101.RUN", "P201.RUN"] as const;
export const PLC2_INPUTS = ["LIT401", "FIT401", "AIT401", "PDT301", "P401.RUN", "V301.OPEN"] as const;
export const PLC1_OUTPUTS = ["MV101.OUT", "P101.OUT", "P201.OUT"] as const;
export const PLC2_OUTPUTS = ["P401.OUT", "P301.OUT", "V301.OUT"] as const;

export type Plc1Input = (typeof PLC1_INPUTS)[number];
export type Plc2Input = (typeof PLC2_INPUTS)[number];
export type Plc1Output = (typeof PLC1_OUTPUTS)[number];
export type Plc2Output = (typeof PLC2_OUTPUTS)[number];

export type FieldInputs = Readonly<Record<Plc1Input | Plc2Input, number>>;
export type FieldOutputs = Readonly<Record<Plc1Output | Plc2Output, number>>;

/** What every actuator takes when its PLC loses power: closed and standing. */
export const POWER_LOSS: FieldOutputs = {
  "MV101.OUT": 0,
  "P101.OUT": 0,
  "P201.OUT": 0,
  "P401.OUT": 0,
  "P301.OUT": 0,
  "V301.OUT": 0,
};

/** The outputs of both PLCs as the field takes them; what is missing has lost its power. */
export function fieldOutputs(values: ReadonlyMap<string, number>): FieldOutputs {
  const of = (name: keyof FieldOutputs) => values.get(name) ?? POWER_LOSS[name];
  return {
    "MV101.OUT": of("MV101.OUT"),
    "P101.OUT": of("P101.OUT"),
    "P201.OUT": of("P201.OUT"),
    "P401.OUT": of("P401.OUT"),
    "P301.OUT": of("P301.OUT"),
    "V301.OUT": of("V301.OUT"),
  };
}
