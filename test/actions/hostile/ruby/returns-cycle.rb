# Returns what JSON cannot express: a cycle.
def main(args)
  result = { 'name' => 'cycle' }
  result['self'] = result
end
