# Signals every process it may signal, the container's first one by name too.
def main(args)
  answers = [-1, 1].to_h do |pid|
    Process.kill(:KILL, pid)
    [pid, 'sent']
  rescue SystemCallError => problem
    [pid, problem.class.name]
  end
  { answered: true, answers: answers }
end
