// Moves all properties below the one that `$fieldName` names.
function main({ $fieldName: name, ...properties }) {
  if (typeof name !== "string") {
    return { error: "Expected an argument '$fieldName' of type 'string'." };
  }
  return { [name]: properties };
}
