// Writes a sale and a settlement with the npm library iso_8583 2.6.7; field 64 is given by hand.
const iso=require('iso_8583'), crypto=require('crypto');
const f={'64':{ContentType:'b',Label:'MAC',LenType:'fixed',MaxLen:16}};
const key=Buffer.from('a key of one demonstration load.');
const head={11:'000002',41:'W1489724',42:'531290058120001'};
const all={
 sale:{0:'0200',3:'000000',4:'000000000001',12:'120000',13:'1122',25:'00',49:'156',60:'22000001',62:'TEST-APPROVE',...head},
 refund:{0:'0220',3:'200000',4:'000000000001',37:'000000010002',49:'156',60:'25000001',63:'9f86d081884c7d65',...head},
 answer:{0:'0210',37:'000000010002',39:'00',...head},
 settlement:{0:'0500',48:'000000000001001000000000001001',60:'00000001201',...head}};
const out=[];
for (const [name,d] of Object.entries(all)) {
  const raw=m=>{const r=new iso(m,f,[]).getRawMessage(); if(!Buffer.isBuffer(r)) throw JSON.stringify(r); return r;};
  // The library always writes the second bitmap; a message of fields up to 64 has none.
  const one=r=>{const b=Buffer.concat([r.subarray(0,12),r.subarray(20)]); b[4]&=0x7f; return b;};
  const open=one(raw({...d,64:'00'.repeat(8)}));
  const mac=crypto.createHmac('sha256',key).update(open.subarray(0,-8)).digest('hex').slice(0,16);
  out.push({name,fields:d,message:one(raw({...d,64:mac})).toString('hex')});
}
console.log(JSON.stringify({made_by:'npm iso_8583 2.6.7, second bitmap taken out; HMAC by node:crypto',key:key.toString(),messages:out},null,1));
