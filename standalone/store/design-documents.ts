// The views by which OpenWhisk's controllers and invokers find things in CouchDB: by name, by time, by key.

import { type DocumentDatabase, statusOf } from "./document-database.ts";

/** The design documents whose views are asked here; the embedded databases have indexes of their own instead. */
export const viewNames = {
  entities: "whisks.v2.1.0",
  activations: "whisks.v2.1.0",
  activationsByName: "whisks-filters.v2.1.1",
  subjects: "subjects.v2.0.0",
} as const;

interface View {
  readonly map: string;
  readonly reduce?: "_count" | "_sum";
}

type Views = { readonly [view: string]: View };

/*
 * The functions run in CouchDB: JavaScript of 2009, no names but their own. An entity is told by its fields, since old
 * documents have no entityType.
 */

const emitByPath = `
  var root = doc.namespace.split("/")[0];
  emit([doc.namespace, doc.updated], value);
  if (root !== doc.namespace) { emit([root, doc.updated], value); }`;

const commonFields = `namespace: doc.namespace, name: doc.name, version: doc.version, publish: doc.publish,
    annotations: doc.annotations, updated: doc.updated`;

const entityViews: Views = {
  actions: {
    map: `function (doc) {
  if (doc.exec === undefined) { return; }
  var value = { ${commonFields}, limits: doc.limits, exec: { binary: doc.exec.binary || false } };${emitByPath}
}`,
    reduce: "_count",
  },
  packages: {
    map: `function (doc) {
  if (doc.binding === undefined) { return; }
  var isBinding = Object.keys(doc.binding).length > 0;
  emit([doc.namespace, doc.updated], { ${commonFields}, binding: isBinding ? doc.binding : false });
}`,
    reduce: "_count",
  },
  "packages-public": {
    map: `function (doc) {
  if (doc.binding === undefined || Object.keys(doc.binding).length > 0 || !doc.publish) { return; }
  emit([doc.namespace, doc.updated], { ${commonFields}, binding: false });
}`,
    reduce: "_count",
  },
  triggers: {
    map: `function (doc) {
  if (doc.exec !== undefined || doc.binding !== undefined || doc.parameters === undefined) { return; }
  var value = { ${commonFields} };${emitByPath}
}`,
    reduce: "_count",
  },
  rules: {
    map: `function (doc) {
  if (doc.trigger === undefined) { return; }
  var value = 1;${emitByPath}
}`,
    reduce: "_count",
  },
};

const summaryOfActivation = `var ended = doc.end !== 0;
  var value = {
    namespace: doc.namespace, name: doc.name, version: doc.version, publish: doc.publish,
    annotations: doc.annotations, activationId: doc.activationId, start: doc.start,
    end: ended ? doc.end : undefined, duration: ended ? doc.end - doc.start : undefined, cause: doc.cause,
    statusCode: ended && doc.response !== undefined ? doc.response.statusCode : undefined
  };`;

const activationViews: Views = {
  activations: {
    map: `function (doc) {
  if (doc.activationId === undefined) { return; }
  ${summaryOfActivation}
  emit([doc.namespace, doc.start], value);
}`,
    reduce: "_count",
  },
};

const activationFilterViews: Views = {
  activations: {
    map: `function (doc) {
  if (doc.activationId === undefined) { return; }
  ${summaryOfActivation}
  var found = {};
  for (var i = 0; i < doc.annotations.length; i++) { found[doc.annotations[i].key] = doc.annotations[i].value; }
  var binding = found.binding ? found.binding.split("/") : [];
  var path = found.path ? found.path.split("/") : [];
  var inPackage = binding.length > 1 ? binding[1] + "/" : path.length === 3 ? path[1] + "/" : "";
  emit([doc.namespace + "/" + inPackage + doc.name, doc.start], value);
}`,
    reduce: "_count",
  },
};

const subjectViews: Views = {
  identities: {
    map: `function (doc) {
  if (!doc.namespaces || doc.blocked) { return; }
  doc.namespaces.forEach(function (space) {
    var value = { _id: space.name + "/limits", namespace: space.name, uuid: space.uuid, key: space.key };
    emit([space.name], value);
    emit([space.uuid, space.key], value);
  });
}`,
  },
};

const throttlingViews: Views = {
  blockedNamespaces: {
    map: `function (doc) {
  var isNobodys = doc.concurrentInvocations === 0 || doc.invocationsPerMinute === 0;
  if (doc._id.indexOf("/limits") >= 0 && isNobodys) { emit(doc._id.replace("/limits", ""), 1); }
  if (doc.blocked && doc.namespaces) { doc.namespaces.forEach(function (space) { emit(space.name, 1); }); }
}`,
    reduce: "_sum",
  },
};

export interface DesignDocument {
  readonly _id: string;
  readonly language: "javascript";
  readonly views: Views;
}

const document = (name: string, views: Views): DesignDocument => ({
  ...{ _id: `_design/${name}`, language: "javascript", views },
});

/** By the database they belong in, as OpenWhisk's deployment installs them. */
export const designDocuments = {
  whisks: [document(viewNames.entities, entityViews)],
  activations: [
    document(viewNames.activations, activationViews),
    document(viewNames.activationsByName, activationFilterViews),
  ],
  subjects: [document(viewNames.subjects, subjectViews), document("namespaceThrottlings", throttlingViews)],
} as const satisfies { readonly [database: string]: readonly DesignDocument[] };

/** Puts in place what is missing; what is there stays as it is, it may be OpenWhisk's own. */
export async function installViews(
  databases: {
    readonly [name in keyof typeof designDocuments]: DocumentDatabase;
  },
): Promise<void> {
  const all = (["whisks", "activations", "subjects"] as const).flatMap((name) =>
    designDocuments[name].map((views) => install(databases[name], views)),
  );
  await Promise.all(all);
}

async function install(database: DocumentDatabase, design: DesignDocument): Promise<void> {
  try {
    await database.get(design._id);
  } catch (error) {
    if (statusOf(error) !== 404) {
      throw error;
    }
    await database.put({ ...design }).catch((conflict: unknown) => {
      // Another controller has done it meanwhile.
      if (statusOf(conflict) !== 409) {
        throw conflict;
      }
    });
  }
}
