def leave(mark)
  trap('USR1') { mark }
  trap('HUP', 'IGNORE')
  'left'
end

def read
  File.readlines('/proc/self/status').grep(/^Sig(Ign|Cgt)/)
end
