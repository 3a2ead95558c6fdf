import type { CodeOfCheck } from "./codes.ts";

/** Codes about what the layers allow: G2, G5, G6, G7, G10, G11, exemptions, permissiveness, lint; with their sentences. */
export const LAYER_CODES = {
  CONTAINMENT_TARGET: "a containment leads to a phase that is not marked `containment: true`",
  CONTAINMENT_GAP: "a phase has containments for some loci and none for others",
  CONTAINMENT_SHADOWED: "earlier entries always fit first",
  ISOLATED_NOT_CONTAINMENT: "the isolated phase is not marked `containment: true`",
  SAFETY_NOT_EVERYWHERE: "a safety command is declared in some phases only",
  CONDITION_UNOBSERVABLE: "no enforcement point can observe a tag of the condition",
  CAUSE_OTHER_DEVICE: "the PLC layer cannot see the cause, which lies in another PLC",
  RULE_WITHOUT_LINK: "no link is declared over which the rule could be used",
  FORM_UNUSABLE: "a rule asks for a function, a quantity or files in which nothing of what it allows can be asked for",
  ROLE_UNSEEN: "a rule asks for a role over a link on which no layer can see one",
  DENIAL_ENDS_CHANNEL: "what is denied on a link can only be denied by ending its channel",
  SAFETY_CONDITIONAL: "a safety command has a condition besides its values and its rate",
  SAFETY_LOST: "a safety command cannot be carried out over the links and bindings that there are",
  SAFETY_WITHOUT_SESSION: "a safety command over OPC UA needs a session that no safety rule allows",
  LAYER_STRICTER: "a layer asks for more than the layer above",
  VALUE_UNSAYABLE: "a rule allows values that the binding of its tag has no number for",
  LAYER_UNSIGHTED: "a layer judges by a tag that it never sees",
  ORDER_UNSEEN: "an order of messages is asked for that a layer cannot judge",
  PATH_WITHOUT_SESSION: "a command over OPC UA is allowed where no session is",
  WINDOW_NOT_NESTED: "a command of a window can pass one layer and be denied by the next",
  WINDOW_WIDENS: "a window lists a rule that neither the old nor the new phase allows",
  CHANGE_UNBOUNDED: "the time for a change of phase is none in which a change can end",
  ESSENTIAL_LOST: "a containment ends an essential function",
  ESSENTIAL_NEVER: "no phase lets an essential function go on",
  CONTAINMENT_WIDENS: "a containment allows what the phase it is entered from does not",
  PLC_MEMORY: "the generated code of a PLC needs more memory than it may",
  CALL_INCOMPLETE: "a method may be called and one of its arguments may not",
  RULE_OTHER_ZONE: "a rule is about a server of another zone than its phase",
  STEP_EVENT_UNOBSERVABLE: "a step waits for a command that no enforcement point can observe",
  PERMISSIVE: "a phase allows more than nine tenths of all state-changing commands and does not say why",
  RULE_SHADOWED: "another rule allows all that a rule allows, wherever it holds",
  RULE_DUPLICATE: "two rules are the same but for their names",
} as const satisfies Record<string, string>;

export const LAYER_CHECKS: Readonly<Record<keyof typeof LAYER_CODES, CodeOfCheck>> = {
  CONTAINMENT_TARGET: {
    guarantee: "G7",
    severity: "error",
    advice: "mark the phase `containment: true`: only marked phases are held to what a containment must keep",
  },
  CONTAINMENT_GAP: {
    guarantee: "G7",
    severity: "error",
    advice: "end the list of containments with one entry for all loci",
  },
  CONTAINMENT_SHADOWED: {
    guarantee: "lint",
    severity: "error",
    advice: "order the entries from the most particular to the most general",
  },
  ISOLATED_NOT_CONTAINMENT: {
    guarantee: "G7",
    severity: "error",
    advice: "mark the phase `containment: true`: points go there by themselves, so it must keep what is essential",
  },
  SAFETY_NOT_EVERYWHERE: {
    guarantee: "G2",
    severity: "error",
    advice: "declare safety rules at the top of the file, where it is plain that they hold everywhere",
  },
  CONDITION_UNOBSERVABLE: {
    guarantee: "language",
    severity: "error",
    advice: "conditions can only name tags that some enforcement point sees",
  },
  CAUSE_OTHER_DEVICE: {
    guarantee: "language",
    severity: "error",
    advice: "a rule on a PLC can only depend on tags of that PLC, for the PLC layer sees no other",
  },
  RULE_WITHOUT_LINK: {
    guarantee: "language",
    severity: "error",
    advice: "every rule needs a link between its devices over a protocol to which its tags are bound",
  },
  FORM_UNUSABLE: {
    guarantee: "language",
    severity: "error",
    advice: "a value of several registers needs a function and a quantity that can carry all of it at once",
  },
  ROLE_UNSEEN: {
    guarantee: "language",
    severity: "error",
    advice:
      "roles are in the certificates of Modbus/TCP Security and are the users of OPC UA sessions: name them where the switch layer sees one of the two",
  },
  DENIAL_ENDS_CHANNEL: {
    guarantee: "language",
    severity: "warning",
    advice:
      "declare `way: ended` and give the filter certificates, so that a denied request is answered and the session goes on",
  },
  SAFETY_CONDITIONAL: {
    guarantee: "G2",
    severity: "error",
    advice:
      "leave causes, order, largest steps and ramps to rules that are not safety rules: whoever stops a plant must not be asked why",
  },
  SAFETY_LOST: {
    guarantee: "G2",
    severity: "error",
    advice: "give the command a link, a binding and a type that can carry every value it names",
  },
  SAFETY_WITHOUT_SESSION: {
    guarantee: "G2",
    severity: "error",
    advice: "a safety rule for the session holds in every phase as the command does",
  },
  LAYER_STRICTER: {
    guarantee: "G5",
    severity: "error",
    advice: "the skew is the time by which the same thing is seen later one layer down; it is never below zero",
  },
  VALUE_UNSAYABLE: {
    guarantee: "G5",
    severity: "error",
    advice: "bounds and lists are to be values that the device can be sent",
  },
  LAYER_UNSIGHTED: {
    guarantee: "G5",
    severity: "error",
    advice: "what is not known counts as not holding, so let every layer see what it judges by",
  },
  ORDER_UNSEEN: {
    guarantee: "language",
    severity: "error",
    advice:
      "order is judged where messages are seen: by the HMI layer on mirrored links, by the switch layer on links it looks into",
  },
  PATH_WITHOUT_SESSION: {
    guarantee: "G5",
    severity: "error",
    advice: "allow `session` wherever something over OPC UA is allowed",
  },
  WINDOW_NOT_NESTED: {
    guarantee: "G5",
    severity: "warning",
    advice:
      "a window's rule that both phases hold passes throughout; one of a single phase can be denied at the edges of the change",
  },
  WINDOW_WIDENS: {
    guarantee: "G6",
    severity: "error",
    advice: "a change lets through what old or new allow, and nothing that is in neither",
  },
  CHANGE_UNBOUNDED: {
    guarantee: "G6",
    severity: "error",
    advice:
      "give a change the time that its orders take when each is seen as late as the skew allows, and the mirror as late as is declared",
  },
  ESSENTIAL_LOST: {
    guarantee: "G7",
    severity: "error",
    advice: "a containment takes from the network, and leaves the control program what the function needs",
  },
  ESSENTIAL_NEVER: {
    guarantee: "G7",
    severity: "error",
    advice: "an essential function needs its outputs in some phase before a containment can keep them",
  },
  CONTAINMENT_WIDENS: {
    guarantee: "G7",
    severity: "error",
    advice: "a containment takes away; what it must add, it names in a rule of its own",
  },
  PLC_MEMORY: { guarantee: "G11", severity: "error", advice: "count fewer messages in the rates of rules on this PLC" },
  CALL_INCOMPLETE: { guarantee: "language", severity: "error", advice: "list a method together with its arguments" },
  RULE_OTHER_ZONE: {
    guarantee: "language",
    severity: "error",
    advice: "write a rule in the zone whose server it is about",
  },
  STEP_EVENT_UNOBSERVABLE: {
    guarantee: "language",
    severity: "error",
    advice: "let steps wait for what a point sees: a message on a link that is looked into, a tag, or time",
  },
  PERMISSIVE: {
    guarantee: "language",
    severity: "error",
    advice: "a phase that allows nearly everything protects nearly nothing: split it into steps, or say `because`",
  },
  RULE_SHADOWED: {
    guarantee: "G4",
    severity: "error",
    advice: "of two rules that say the same, keep the one that is meant",
  },
  RULE_DUPLICATE: {
    guarantee: "G4",
    severity: "error",
    advice: "of two rules that say the same, keep the one that is meant",
  },
};
