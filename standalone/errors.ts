// What can go wrong in a request: an HTTP status and OpenWhisk's own text, because clients show these to people.

/** A request that is refused. `status` is the HTTP status, `message` the text of the `error` field. */
export class ApiError extends Error {
  readonly status: number;
  readonly headers: { readonly [name: string]: string };

  constructor(status: number, message: string, headers: { readonly [name: string]: string } = {}) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.headers = headers;
  }
}

/** A store that cannot do what it was asked; `code` says which way. The message is for operators, of `full` for callers too. */
export class StoreError extends Error {
  readonly code: "conflict" | "wrong-type" | "full" | "unavailable";

  constructor(code: StoreError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StoreError";
    this.code = code;
  }
}

/** A reason not to start, with its remedy; the program ends with exit code 2 and shows only the message. */
export class StartError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StartError";
  }
}

/** Fixed texts of OpenWhisk's controller (common/scala http/ErrorResponse.scala and the HTTP server below it), then our own. */
export const texts = {
  notFound: "The requested resource does not exist.",
  noRoute: "The requested resource could not be found.",
  exists: "resource already exists",
  conflict: "Concurrent modification to resource detected.",
  wrongCollection: "Resource by this name exists but is not in this collection.",
  noCredentials: "The resource requires authentication, which was not supplied with the request",
  badCredentials: "The supplied authentication is invalid",
  nameIllegal: "The name of the entity contains illegal characters.",
  namespaceIllegal: "The namespace contains illegal characters.",
  qualifiedNameMalformed:
    "The fully qualified name of the entity must contain at least the namespace and the name of the entity.",
  activationIdIllegal: "The activation id is not valid.",
  execUndefined: "exec undefined",
  sequenceTooLong: "Too many actions in the sequence.",
  sequenceEmpty: "No component specified for the sequence.",
  sequenceCyclic: "Sequence may not refer to itself.",
  sequenceComponentMissing: "Sequence component does not exist.",
  sequenceFailed: "Sequence failed.",
  compositionTooLong: "Too many actions in the composition.",
  compositionFailed: "Activation failure during composition.",
  bindingMissing: "Binding references a package that does not exist.",
  packageNotBinding: "Resource is a package and cannot be converted into a binding.",
  bindingToBinding: "Cannot bind to another package binding.",
  bindingNotPackage: "Cannot bind to a resource that is not a package.",
  notOnBinding: "Operation not permitted on package binding.",
  parametersNotAllowed: "Request defines parameters that are not allowed (e.g., reserved properties).",
  unauthorized: "Authentication is possible but has failed or not yet been provided.",
  responseNotReady: "Response not yet ready.",
  processingFailed: "There was an error processing your request.",
  propertyMissing: "Response does not include requested property.",
  contentTypeUnknown: "Response did not specify a known content-type.",
  contentTypeWrong: "Response type in header did not match generated content type.",
  docsWithCount: "The parameter 'docs' is not permitted with 'count'.",
  feedIllegal: "Feed name is not valid",
  limitsTogether: "Inner entity level routes for limits are not yet implemented.",
  ruleIncomplete: "rule requires a valid trigger and a valid action",
  ruleTriggerMissing: "Only rules with existing triggers can be activated",
  bodyExpected: "Request entity expected but not supplied",
  tooLarge: "The request is larger than the server is willing or able to process.",
  internal: "There was an internal server error.",
  overloaded: "The server is currently unavailable (because it is overloaded or down for maintenance).",
  diskFull: "The disk of the server is full: nothing new can be stored or run. Removing what is there helps.",
  diskFailed: "The disk of the server was full: it must be given space and be started again.",
} as const;

/** 404 with the general text. */
export function notFound(): ApiError {
  return new ApiError(404, texts.notFound);
}

/** 403 for a resource named `namespace[/package][/name]`. */
export function forbidden(resource: string): ApiError {
  return new ApiError(403, `The supplied authentication is not authorized to access '${resource}'.`);
}

/** 400 for a body that is no JSON, or JSON of the wrong shape. */
export function malformed(why: string): ApiError {
  return new ApiError(400, `The request content was malformed:\n${why}`);
}

/** 400 for a query parameter that cannot be read. */
export function malformedQuery(name: string, why: string): ApiError {
  return new ApiError(400, `The query parameter '${name}' was malformed:\n${why}`);
}

/** 405 naming what would be allowed. */
export function methodNotAllowed(allowed: readonly string[]): ApiError {
  const list = allowed.join(", ");
  return new ApiError(405, `HTTP method not allowed, supported methods: ${list}`, { Allow: list });
}

/** 413 for a part of an entity. */
export function entityTooLarge(field: string, isBytes: number, allowedBytes: number): ApiError {
  return new ApiError(413, `${field} larger than allowed: ${isBytes} > ${allowedBytes} bytes.`);
}
