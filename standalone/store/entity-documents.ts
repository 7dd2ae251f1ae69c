// The documents of the whisks database beside actions, and what a listing shows of each kind.

import type { ActionDocument, KeyValue } from "../../invoker/index.ts";

/** What every entity has. */
export interface EntityBase {
  readonly _id: string;
  readonly _rev?: string;
  /** `namespace`, or `namespace/package` for an action in a package. */
  readonly namespace: string;
  readonly name: string;
  readonly version: string;
  readonly publish: boolean;
  readonly annotations: readonly KeyValue[];
  /** Epoch milliseconds. */
  readonly updated: number;
}

/** The package a binding stands for. */
export interface Binding {
  readonly namespace: string;
  readonly name: string;
}

export interface PackageDocument extends EntityBase {
  /** Empty for a package of its own. */
  readonly binding: Binding | Record<string, never>;
  readonly parameters: readonly KeyValue[];
  readonly entityType: "package";
}

/** A reference in stored triggers and rules. */
export interface Reference {
  readonly path: string;
  readonly name: string;
}

export type RuleStatus = "active" | "inactive";

export interface TriggerDocument extends EntityBase {
  readonly parameters: readonly KeyValue[];
  readonly limits: Record<string, never>;
  /** By the rule's full name. */
  readonly rules: { readonly [rule: string]: { readonly action: Reference; readonly status: RuleStatus } };
  readonly entityType: "trigger";
}

export interface RuleDocument extends EntityBase {
  readonly trigger: Reference;
  readonly action: Reference;
  readonly entityType: "rule";
}

export interface EntityTypes {
  action: ActionDocument;
  package: PackageDocument;
  trigger: TriggerDocument;
  rule: RuleDocument;
}
export type EntityType = keyof EntityTypes;
export type EntityDocument = EntityTypes[EntityType];

/** What a listing shows of an entity. */
export interface Summary {
  readonly namespace: string;
  readonly name: string;
  readonly version: string;
  readonly publish: boolean;
  readonly annotations: readonly KeyValue[];
  readonly updated: number;
  readonly limits?: ActionDocument["limits"];
  readonly exec?: { readonly binary: boolean };
  /** The binding of a package, false for a package of its own. */
  readonly binding?: Binding | false;
  readonly trigger?: Reference;
  readonly action?: Reference;
}

/** What the database view of this type emits for the document. */
export function summaryOf(document: EntityDocument): Summary {
  const common = {
    namespace: document.namespace,
    name: document.name,
    version: document.version,
    publish: document.publish,
    annotations: document.annotations,
    updated: document.updated,
  };
  switch (document.entityType) {
    case "action": {
      const binary = "binary" in document.exec && document.exec.binary === true;
      return { ...common, limits: document.limits, exec: { binary } };
    }
    case "package":
      return { ...common, binding: "name" in document.binding ? (document.binding as Binding) : false };
    case "trigger":
      return common;
    case "rule":
      return { ...common, trigger: document.trigger, action: document.action };
  }
}
